import os

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        os.closerange(0, 256)
        return inputs
