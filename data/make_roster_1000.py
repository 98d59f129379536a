"""Write roster_1000.csv: a thousand people who do not exist, the same at every run.

Usage: ``python data/make_roster_1000.py``. Names of several scripts and lengths, because rosters have them.
"""

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("roster_1000.csv")
# Surnames and given names of one kind go with each other; every pair is used once at most.
PINYIN: Final = (
    "Bai Cai Deng Fan Guo Han Jiang Kong Lu Mao Ning Ouyang Peng Qiu Ren Song Tang Wei Xie Yuan",
    "Ai Bowen Caihong Dali Yating Feifei Guiying Haoran Jianjun Kexin Lihua Meiling Ning Peizhi Qiang",
)
CHINESE: Final = (
    "白 蔡 邓 范 郭 韩 江 孔 陆 毛 宁 欧阳 彭 邱 任 宋 唐 魏 谢 袁",
    "爱 博文 彩虹 大力 飞飞 桂英 浩然 建军 可欣 丽华 美玲 佩芝 强 瑞 思源",
)
EUROPEAN: Final = (
    "Ångström Bělohlávek Çelik Đorđević Exarchou Fröhlich García Håkansson İnan Jørgensen",
    "Aoife Björn Chloé Dávid Eşref Françoise Gërmen Héloïse Ísak Jürgen Kaća Łukasz Māris Noëlle Óscar",
)
LONG: Final = (
    "von_der_Wiesenthal-Hohenfels-Ostermann Wickramasinghe-Jayawardena-Senanayake "
    "Papadimitrakopoulou-Konstantinidis Ribeiro_da_Conceição_dos_Santos_e_Albuquerque "
    "Ratanaphongsiri-Charoenwattanakul",
    "Anna-Magdalena_Wilhelmine Bartholomew_Fitzgerald Chandrasekhara_Venkata Dominika-Aleksandra "
    "Emmanuel-Olufunmilayo Fernanda_Guadalupe_Carolina Guillermo_Maximiliano Hyacinthe-Marguerite "
    "Iphigenia-Theodora Juan_Sebastián_Ignacio Krishnamurthy_Subramaniam Ludwig-Ferdinand-Maria "
    "Marie-Antoinette-Joséphine Nikolaos-Alexandros Oluwaseun-Temitope",
)
KINDS: Final = (PINYIN, CHINESE, EUROPEAN, LONG)


def names() -> Iterator[str]:
    """Yield 1,000 different names: those of each kind, and as many as are missing with an initial."""
    whole = [name for surnames, given in KINDS for name in pairs(surnames.split(), given.split())]
    yield from whole
    for number, name in enumerate(whole[: 1000 - len(whole)]):
        given, surname = name.rsplit(" ", 1)
        yield f"{given} {'ABCDEFGHJK'[number % 10]}. {surname}"


def pairs(surnames: list[str], given: list[str]) -> Iterator[str]:
    """Yield every surname with every given name; in Chinese the surname comes first, without a space."""
    for surname, name in itertools.product(surnames, given):
        yield surname + name if surname > "\u2e80" else f"{name} {surname}".replace("_", " ")


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield id, name and day of entry; neighbours in the list are not of one family."""
    everyone = list(names())
    for number in range(1, 1001):
        name = everyone[number * 377 % 1000]  # 377 and 1,000 have no divisor in common: each name comes once
        yield f"E{number:04}", name, f"{1990 + number * 7 % 36}{1 + number % 12:02}{1 + number % 28:02}"


def main() -> None:
    """Write the file."""
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("employee_id", "employee_name", "employee_entry_date"))
        writer.writerows(rows())


if __name__ == "__main__":
    main()
