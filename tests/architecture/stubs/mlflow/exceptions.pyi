class MlflowException(Exception):
    error_code: str
    def __init__(
        self,
        message: str,
        error_code: int = ...,
        sqlstate: str | None = None,
        error_class: str | None = None,
        **kwargs: object,
    ) -> None: ...
