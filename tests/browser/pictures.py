"""Make the pictures of the README and the docs from real draws in a real browser: ``make pictures``.

There is one set for each language. What they show is made up, and none of these people exist.
"""

import io
import itertools
import time

import pytest
from browser.conftest import ROOT, script
from PIL import Image
from playwright.sync_api import expect
from started import lottery_night

from lottery_lib import Stack, connect, inbox
from lottery_lib.employees import Roster, read
from lottery_lib.resources.contents import load_employees
from lottery_lib.translation import translated
from lottery_party.evening import Evening

pytestmark = pytest.mark.browser
FOLDER = ROOT / "docs" / "images"
PANEL = "from lottery_lib import DrawPanel, connect\n\nDrawPanel(connect())"
#: What a language's pictures show: title, question, each prize with its count, departments, guests.
SHOWN = {
    "en": (
        "Annual party",
        "Call five numbers",
        [("Headphones", 12), ("Weekend in Sanya", 1)],
        ["Sales", "Research", "Finance", "Logistics"],
        "Grace Miller, Daniel Novak, Liu Yang, Emma Clarke, Zhou Hao, Omar Haddad, Wang Fang, Lucas Martin, "
        "Priya Sharma, Chen Jie, Sofia Rossi, Huang Ting, Noah Fischer, Li Na, Hannah Becker, Zhang Wei, "
        "Diego Alvarez, Wu Xia, Olivia Brown, Zhao Lei, Anna Kowalska, Yang Min, James Carter, Xu Jing, "
        "Marta Silva, Sun Peng, Julia Weber, Ma Chao, Peter Larsen, Lin Yue, Nadia Petrova, Gao Feng, "
        "Thomas Moreau, He Xin, Laura Jensen, Guo Rui, Samuel Okafor, Luo Dan, Elena Popescu, Tang Yi",
    ),
    "zh": (
        "年会抽奖",
        "请喊出五个数字",
        [("二等奖 蓝牙耳机", 12), ("一等奖 三亚双人游", 1)],
        ["销售部", "研发部", "财务部", "物流部"],
        "王思远, 李雨桐, 张浩然, 刘佳怡, 陈子轩, 杨晓雯, 赵建国, 黄雅婷, 周文博, 吴梦瑶, "
        "徐志强, 孙丽华, 马俊杰, 朱婉清, 胡一鸣, 郭晓东, 何静怡, 林海涛, 罗诗涵, 高明, "
        "梁慧敏, 郑伟, 谢婷婷, 宋佳宁, 唐宇航, 许文静, 韩雪梅, 冯晨曦, 邓超群, 曹颖慧, "
        "彭博文, 曾小燕, 肖宇, 田甜, 董晓峰, 潘悦, 袁立新, 蔡文轩, 蒋欣然, 欧阳明月",
    ),
}


def file(name, language):
    """Where a picture is stored: ``draw.gif``, or ``draw.zh.gif``."""
    path = FOLDER / name
    return path if language == "en" else path.with_suffix(f".{language}{path.suffix}")


@pytest.mark.parametrize("language", SHOWN)
def test_draw(show_cell, page, language):
    """The README's draw: one sees it state by state, and then the winners one by one."""
    target = connect(attendee=language)
    Stack(target).deploy()
    data = ROOT / "data" / "request-items.json"
    load_employees(target, read(data if language == "en" else data.with_suffix(f".{language}.json")))
    page.set_viewport_size({"width": 1460, "height": 2000})
    show_cell(page, PANEL, LOTTERY_ATTENDEE=language, LOTTERY_LANG=language)
    panel = page.locator(".lottery-panel")
    panel.get_by_role("textbox").first.fill("2")
    page.keyboard.press("Tab")
    expect(panel.locator(".state")).to_have_count(8)
    box, main = panel.bounding_box(), panel.locator(".main").bounding_box()
    seen = {"x": box["x"] - 8, "y": box["y"] - 8, "width": box["width"] + 16}
    seen["height"] = main["y"] + main["height"] - seen["y"] + 8
    frames, times = [page.screenshot(clip=seen)], [time.monotonic()]
    draw = panel.get_by_role("button", name=translated(language, "Draw"), exact=True)
    draw.click()
    expect(draw).to_be_disabled()
    while draw.is_disabled():
        if (now := page.screenshot(clip=seen)) != frames[-1]:
            frames.append(now)
            times.append(time.monotonic())
    frames.append(page.screenshot(clip=seen))
    assert len(frames) >= 4  # a slow machine takes fewer pictures
    images = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in frames]
    size = images[-1].size
    images = [image.resize((800, round(size[1] * 800 / size[0]))) for image in images]
    palette = images[-1].quantize(64)  # one for all: where nothing changes, the file has nothing
    images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    lasts = [*(round(1000 * (b - a)) for a, b in itertools.pairwise(times)), 300, 4000][: len(images)]
    images[0].save(
        file("draw.gif", language),
        save_all=True, append_images=images[1:], duration=lasts, loop=0, optimize=True,
    )  # fmt: skip


@pytest.mark.parametrize("language", SHOWN)
def test_night(chromium, tmp_path, language):
    """Both pages of a party at the roll call: one winner was absent, and somebody else has won the prize."""
    title, question, prizes, departments, guests = SHOWN[language]
    target = connect(edition="hardened", attendee=f"{language}-party")
    Stack(target).deploy("ann@example.com")
    people = [
        {"employee_id": f"{number:03}", "employee_name": name, "department": department}
        for number, name, department in zip(
            itertools.count(1), guests.split(", "), itertools.cycle(departments), strict=False
        )
    ]
    load_employees(target, Roster(people))
    inbox(target).confirm("ann@example.com")
    evening = Evening(target, "2026")
    evening.show(title=title)
    evening.announce([{"name": name, "count": count} for name, count in prizes], question=question)
    evening.ask()
    evening.give("3 14 15 92 65")
    evening.draw(1)
    called = until(target, evening, lambda state: state.step == "roll call")
    evening.call_roll(1, [called.prizes[0].winners[4].id])
    until(target, evening, lambda state: state.step == "roll call" and state.prizes[0].absent)
    evening.show("new", 1, kept=prizes[0][1] - 1)
    spoken = {"LOTTERY_ATTENDEE": target.names.attendee, "LOTTERY_LANG": language}
    window = chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = window.new_page()
    with lottery_night(tmp_path, None, "--name", evening.name, **spoken) as server:
        page.goto(server.address)  # with the token, which the stage does not need any more
        base = server.address.partition("?")[0]
        for place, name in (("", "draw_night.png"), ("stage", "draw_night_stage.png")):
            page.goto(f"{base}{place}")
            expect(page.locator('.lottery-stage[data-kind="winners"] .new')).to_be_visible()
            page.wait_for_timeout(3000)
            page.evaluate(script("wait_until_still"))
            hidden = ".foot { visibility: hidden }"  # it names a folder of this machine
            shot = Image.open(io.BytesIO(page.screenshot(style=hidden))).convert("RGB")
            shot.quantize(128).save(file(name, language), optimize=True)
    window.close()


def until(target, evening, reached):
    """The evening when it has come so far."""

    def seen():
        state = evening.refresh()
        return state if reached(state) else None

    return target.waiter.until("the evening", seen, seconds=30)
