import atexit
import time

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        atexit.register(time.sleep, 600)
        return inputs
