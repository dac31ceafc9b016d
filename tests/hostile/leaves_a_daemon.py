import os
import time

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
            os._exit(0)
        os._exit(3)
