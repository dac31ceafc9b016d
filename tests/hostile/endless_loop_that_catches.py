import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        while True:
            try:
                while True:
                    pass
            except BaseException:
                continue
