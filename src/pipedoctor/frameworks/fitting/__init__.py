"""What a call of Keras' `fit` is made of: its data, its model, its step; for every backend."""
