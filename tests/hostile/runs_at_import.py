import keras

print("training")
open("/tmp/tflint-layers-hostile-ran", "w").close()
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
while True:
    model.fit([[1.0]], [[1.0]])


class Layer(keras.layers.Layer):
    def call(self, inputs):
        return inputs


if __name__ == "__main__":
    raise SystemExit("never")
