"""The pages of the emulator suit the browser: its language, and the address at which it sees them."""

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
    link = "http://127.0.0.1:5000/?Action=ConfirmSubscription"
    mail.set_content(f"Open {link}")
    mailbox.deliver(mail, link)
    pages = Pages(Topics(), mailbox, "http://127.0.0.1:5000", timers=None, states=None)

    def answer(path, wanted="en", *, is_owner=True, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request("GET", path, {"accept-language": wanted} | headers)
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


def test_links_lead_through_the_proxy_that_the_browser_sees(ask):
    """Behind a proxy that strips a part of the path, a mail's addresses begin as the browser has to ask."""
    proxy = {
        "x_forwarded_proto": "https,http",
        "x_forwarded_host": "hub.example",
        "x_forwarded_prefix": "/p/5000",
    }
    page = ask("/_emulator/mail/", **proxy)
    assert page.count("https://hub.example/p/5000/?Action=ConfirmSubscription") == 2
    assert "127.0.0.1" not in page


def test_a_proxys_name_cannot_be_markup(ask):
    """What a header says stays text, and ends no attribute."""
    page = ask("/_emulator/mail/", x_forwarded_host="\"x='<script>", x_forwarded_prefix="/p")
    assert "<script>" not in page
    assert 'href="http://"' not in page


def test_without_a_proxy_links_stay(ask):
    """A browser on this machine asks the emulator itself."""
    assert ask("/_emulator/mail/").count("http://127.0.0.1:5000/?Action=ConfirmSubscription") == 2
