"""Answer SNS's API and keep its mails."""
