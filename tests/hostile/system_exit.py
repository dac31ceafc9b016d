import sys

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        sys.exit(0)
