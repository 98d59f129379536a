"""Wait for looks of an operator's page: what did not come with two of them does not come."""

from patience import wait_until


def two_looks(page):
    """Let a page look twice, from the beginning to the end."""
    looked, look = [], page._look

    def counted():
        try:
            look()
        finally:
            looked.append(True)

    page._look = counted
    wait_until(lambda: len(looked) > 2)  # the first one may have begun before
    page._look = look


def look_no_more(pages):
    """Let the threads of pages look no more. They would disturb tests of other files."""
    for page in pages:
        page._look, page.state = lambda: None, None
