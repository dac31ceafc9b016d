import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        while True:
            inputs = inputs
