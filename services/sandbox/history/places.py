"""Where do customers live? Names, cities, streets, phone numbers and time zones that fit together.

In the patterns `#` stands for a digit. Phone numbers are from the ranges that are kept free for fiction where
a country has one.
"""

from typing import NamedTuple


class City(NamedTuple):
    """A city with the pattern of its postal codes."""

    name: str
    state: str | None
    postal: str
    timezone: str


class Country(NamedTuple):
    """What a customer of a country is made from; `weight` is its share of all customers."""

    weight: float
    currency: str
    locale: str
    phone: str
    street: str
    first: tuple[str, ...]
    family: tuple[str, ...]
    company: tuple[str, ...]
    cities: tuple[City, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ENGLISH_FIRST = _words(
    "Olivia Liam Emma Noah Ava James Sophia Lucas Mia Ethan Amelia Henry Grace Jack Chloe Samuel Ruby Oscar "
    "Hannah Daniel Zoe Marcus Naomi Victor Priya Andre Carmen Theo Imani Walter"
)
_ENGLISH_FAMILY = _words(
    "Smith Johnson Walker Brown Davis Miller Wilson Moore Taylor Clark Lewis Young King Wright Hill Scott "
    "Green Baker Adams Nelson Carter Mitchell Turner Parker Collins O'Brien Nguyen Okafor Patel Rivera"
)
_ENGLISH_COMPANY = _words(
    "Bluefin Ridgeline Copperleaf Northwind Larkspur Tidewater Hearthstone Quillworks Ironbark Saltmarsh "
    "Foxglove Brightwater Stonebridge Maplewood Harborlight Redwood Silverbirch Fernhill Cloverfield Windmill"
)

COUNTRIES: dict[str, Country] = {
    "US": Country(
        0.40,
        "usd",
        "en-US",
        "+1 2## 555 01##",
        "{number} {name} Street",
        _ENGLISH_FIRST,
        _ENGLISH_FAMILY,
        _ENGLISH_COMPANY,
        (
            City("New York", "NY", "100##", "America/New_York"),
            City("Austin", "TX", "787##", "America/Chicago"),
            City("Denver", "CO", "802##", "America/Denver"),
            City("Seattle", "WA", "981##", "America/Los_Angeles"),
            City("San Francisco", "CA", "941##", "America/Los_Angeles"),
            City("Chicago", "IL", "606##", "America/Chicago"),
            City("Phoenix", "AZ", "850##", "America/Phoenix"),
            City("Honolulu", "HI", "968##", "Pacific/Honolulu"),
        ),
    ),
    "CA": Country(
        0.05,
        "usd",
        "en-CA",
        "+1 613 555 01##",
        "{number} {name} Avenue",
        _ENGLISH_FIRST,
        _ENGLISH_FAMILY,
        _ENGLISH_COMPANY,
        (
            City("Toronto", "ON", "M5V #K#", "America/Toronto"),
            City("Vancouver", "BC", "V6B #A#", "America/Vancouver"),
            City("Halifax", "NS", "B3H #G#", "America/Halifax"),
        ),
    ),
    "GB": Country(
        0.08,
        "usd",
        "en-GB",
        "+44 20 7946 0###",
        "{number} {name} Road",
        _ENGLISH_FIRST,
        _ENGLISH_FAMILY,
        _ENGLISH_COMPANY,
        (
            City("London", None, "EC1A #BB", "Europe/London"),
            City("Manchester", None, "M1 #AE", "Europe/London"),
            City("Edinburgh", None, "EH1 #YZ", "Europe/London"),
        ),
    ),
    "AU": Country(
        0.04,
        "usd",
        "en-AU",
        "+61 2 5550 ####",
        "{number} {name} Parade",
        _ENGLISH_FIRST,
        _ENGLISH_FAMILY,
        _ENGLISH_COMPANY,
        (
            City("Sydney", "NSW", "20##", "Australia/Sydney"),
            City("Perth", "WA", "60##", "Australia/Perth"),
            City("Adelaide", "SA", "50##", "Australia/Adelaide"),
        ),
    ),
    "IN": Country(
        0.05,
        "usd",
        "en-IN",
        "+91 22 5550 ####",
        "{number}, {name} Marg",
        _words("Aarav Diya Vihaan Ananya Arjun Isha Kabir Meera Rohan Saanvi Dev Kavya"),
        _words("Sharma Iyer Reddy Kapoor Mehta Nair Das Banerjee Joshi Rao"),
        _words("Chandra Surya Neelam Kaveri Tarang Bodhi Himal Sagar"),
        (
            City("Mumbai", "MH", "4000##", "Asia/Kolkata"),
            City("Bengaluru", "KA", "5600##", "Asia/Kolkata"),
        ),
    ),
    "BR": Country(
        0.04,
        "usd",
        "pt-BR",
        "+55 11 5550 ####",
        "Rua {name}, {number}",
        _words("Ana João Beatriz Pedro Larissa Rafael Camila Thiago Júlia Mateus"),
        _words("Silva Santos Oliveira Souza Araújo Conceição Barbosa Ferreira Moura"),
        _words("Jatobá Ipê Araucária Maré Sabiá Aurora Cerrado"),
        (
            City("São Paulo", "SP", "010##-###", "America/Sao_Paulo"),
            City("Manaus", "AM", "690##-###", "America/Manaus"),
        ),
    ),
    "DE": Country(
        0.09,
        "eur",
        "de",
        "+49 30 23125 ###",
        "{name}straße {number}",
        _words("Anna Lukas Lena Jonas Marie Felix Jürgen Katrin Söhnke Petra Moritz Änne"),
        _words("Müller Schmidt Weiß Krüger Schäfer Vogel Köhler Brandt Lange Groß"),
        _words("Nordlicht Bergquell Rheinwerk Kiefer Lindenhof Sternberg Falkenau"),
        (
            City("Berlin", None, "101##", "Europe/Berlin"),
            City("Köln", None, "506##", "Europe/Berlin"),
            City("München", None, "803##", "Europe/Berlin"),
        ),
    ),
    "FR": Country(
        0.06,
        "eur",
        "fr",
        "+33 1 99 00 ## ##",
        "{number} rue de {name}",
        _words("Léa Hugo Chloé Louis Camille Jules Inès Raphaël Zoé Étienne"),
        _words("Martin Bernard Dubois Lefèvre Moreau Garnier Noël Besançon D'Aubigné"),
        _words("Mistral Lavande Hirondelle Ardoise Garrigue Clairière"),
        (
            City("Paris", None, "750##", "Europe/Paris"),
            City("Lyon", None, "690##", "Europe/Paris"),
            City("Nantes", None, "440##", "Europe/Paris"),
        ),
    ),
    "ES": Country(
        0.04,
        "eur",
        "es",
        "+34 910 555 ###",
        "Calle {name}, {number}",
        _words("Lucía Hugo María Martín Sofía Álvaro Íñigo Nuria Begoña"),
        _words("García Fernández Muñoz Ibáñez Ortega Núñez Peña Castaño"),
        _words("Olivar Almendro Poniente Encina Alborada"),
        (
            City("Madrid", None, "280##", "Europe/Madrid"),
            City("Las Palmas", None, "350##", "Atlantic/Canary"),
        ),
    ),
    "IT": Country(
        0.03,
        "eur",
        "it",
        "+39 06 5550 ####",
        "Via {name} {number}",
        _words("Giulia Leonardo Chiara Matteo Sara Niccolò Elisa Lorenzo"),
        _words("Rossi Russo Ferrari Esposito Bianchi Dell'Acqua Conti Galli"),
        _words("Cipresso Laguna Tramonto Girasole Vetta"),
        (City("Roma", None, "001##", "Europe/Rome"), City("Milano", None, "201##", "Europe/Rome")),
    ),
    "NL": Country(
        0.03,
        "eur",
        "nl",
        "+31 20 555 ####",
        "{name}straat {number}",
        _words("Emma Daan Sanne Bram Lotte Thijs Fleur Joost"),
        _words("Jansen Bakker Visser Smit Meijer Mulder Bos"),
        _words("Polder Tulp Zeewind Kade Molen"),
        (City("Amsterdam", None, "10## AB", "Europe/Amsterdam"),),
    ),
    "JP": Country(
        0.08,
        "jpy",
        "ja",
        "+81 3 5550 ####",
        "{name}町{number}番地",
        _words("陽菜 蓮 結衣 大翔 美咲 湊 さくら 健太 直子 翼"),
        _words("佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村 小林 加藤"),
        _words("青空 桜木 富士見 東雲 海風 月光"),
        (
            City("東京", "東京都", "100-00##", "Asia/Tokyo"),
            City("大阪", "大阪府", "530-00##", "Asia/Tokyo"),
        ),
    ),
    "IL": Country(
        0.01,
        "usd",
        "he",
        "+972 3 555 ####",
        "רחוב {name} {number}",
        _words("נועה דוד תמר יוסף"),
        _words("כהן לוי מזרחי פרץ"),
        _words("תמר ארז רימון"),
        (City("תל אביב", None, "61#####", "Asia/Jerusalem"),),
    ),
}
