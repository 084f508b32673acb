"""The models: features from silver, training, the registry, scoring. The decisions are in `judge`. Commands that do not
need this package do not import it. scikit-learn is imported only for fitting, and MLflow only for writing the registry
or reading a remote one.
"""
