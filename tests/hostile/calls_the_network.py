import socket

import keras


class Layer(keras.layers.Layer):
    def call(self, inputs):
        socket.create_connection(("127.0.0.1", PORT), timeout=2)
        return inputs


PORT = 9
