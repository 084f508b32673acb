# What the project uses of mlflow, whose own files import each other in a circle of three hundred: reading them for these
# few names would take as long as reading the project.
class MlflowClient:
    def __init__(
        self,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
        workspace_store_uri: str | None = None,
    ) -> None: ...
