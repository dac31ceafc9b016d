import os

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        os._exit(0)
