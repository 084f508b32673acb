"""The models: features from silver, training, the registry and scoring. The decisions are in `judge`. To keep other
commands fast, imports are late: a command that needs no model does not import this package. scikit-learn is imported
only for fitting. MLflow is imported only for writing the registry or reading a remote one.
"""
