"""Answer SNS's API, and keep the mails that it sends."""
