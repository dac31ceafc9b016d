import os
import signal

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        os.kill(os.getppid(), signal.SIGKILL)
        return inputs
