import keras
import tensorflow as tf


class Layer(keras.layers.Layer):
    def call(self, inputs):
        for row in tf.data.Dataset.range(3):
            inputs = inputs + tf.cast(row, inputs.dtype)
        return inputs
