import keras


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class Layer(keras.layers.Layer):
    def call(self, inputs):
        raise UnprintableError
