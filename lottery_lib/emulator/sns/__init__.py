"""Answer SNS's API and keep its mails."""

__all__: list[str] = []
