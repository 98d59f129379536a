"""Answer SNS's API and store its mails."""
