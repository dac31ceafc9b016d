import threading

import keras


class Waits:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


class Layer(keras.layers.Layer):
    def call(self, inputs):
        return inputs
