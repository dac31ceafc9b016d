import threading
import time

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        threading.Thread(target=time.sleep, args=(600,)).start()
        return inputs
