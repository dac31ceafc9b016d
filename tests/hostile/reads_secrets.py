import os

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        raise ValueError("found " + os.environ["TFLINT_TEST_API_KEY"])
