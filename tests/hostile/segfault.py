import ctypes

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        ctypes.string_at(0)
