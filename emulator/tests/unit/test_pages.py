"""The pages of the emulator speak the language of the browser, because one emulator serves many people."""

from email.message import EmailMessage

import pytest

from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.pages import Pages
from sfn_emulator.sns.mail import Mailbox
from sfn_emulator.translation import translated


class Topics:
    """Confirms what has a token."""

    def confirm(self, request):
        if "Token" not in request.query:
            raise RefusalError("InvalidParameter", "Invalid token")
        return Reply(200, b"")

    def unsubscribe(self, request):
        return Reply(200, b"")


@pytest.fixture
def ask(tmp_path):
    """Asks for a page in a language."""
    mailbox = Mailbox(tmp_path / "mail")
    mail = EmailMessage()
    mail["To"], mail["From"], mail["Subject"], mail["Date"] = "ann@a.com", "b@a.com", "Hello", "today"
    mail["x-amz-sns-topic-arn"] = "arn"
    mail.set_content("Text")
    mailbox.deliver(mail, "http://localhost/?Action=ConfirmSubscription")
    pages = Pages(Topics(), mailbox, 1)

    def answer(path, wanted, *, is_owner=True):
        request = Request("GET", path, {"accept-language": wanted})
        return pages.answer(request, is_owner=is_owner).body.decode()

    return answer


@pytest.mark.parametrize(
    ("path", "english"),
    [
        ("/_emulator/mail/", ("Mailbox", "From", "Confirm subscription")),
        ("/?Action=ConfirmSubscription&Token=1", ("Subscription confirmed", "You can close this page.")),
        ("/?Action=ConfirmSubscription", ("That did not work",)),
        ("/", ("It runs.",)),
    ],
)
def test_a_page_speaks_the_browsers_language(ask, path, english):
    """A page is Chinese for a browser that wants it, or else English, and says which it is."""
    page, other = ask(path, "zh-CN,zh;q=0.9,en;q=0.8"), ask(path, "de")
    assert '<html lang="zh">' in page
    assert '<html lang="en">' in other
    for text in english:
        assert translated("zh", text) in page
        assert text not in page.replace("ConfirmSubscription", "")
        assert text in other


def test_the_closed_mailbox_speaks_the_browsers_language(ask):
    """The page for somebody without the key is in the browser's language, too."""
    assert translated("zh", "The mailbox is closed") in ask("/_emulator/mail/", "zh", is_owner=False)
