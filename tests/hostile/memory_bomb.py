import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        held = []
        while True:
            held.append(bytearray(b"x") * (64 << 20))
