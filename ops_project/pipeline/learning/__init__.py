"""The models at work: features from silver, training, the registry, scoring. What decides lies in operations/learning.

Nothing here is imported by a command that does not need it; scikit-learn is imported only where something is fitted,
MLflow only where the registry is written or a remote one is read.
"""
