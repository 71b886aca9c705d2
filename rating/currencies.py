"""The currencies of ISO 4217 and the digits of their minor units, pinned: a new edition of the list changes no old bill.

Codes without a minor unit (metals, special drawing rights, test codes) are left out: nothing is invoiced in them.

>>> minor_digits("USD"), minor_digits("JPY"), minor_digits("KWD")
(2, 0, 3)
"""

from __future__ import annotations

from types import MappingProxyType

_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN
NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC
SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

CURRENCIES = MappingProxyType(
    {
        code: digits
        for digits, codes in ((2, _TWO), (0, _ZERO), (3, _THREE), (4, _FOUR))
        for code in codes.split()
    }
)
"""Code → digits of the minor unit."""


def minor_digits(code: str) -> int:
    """Digits of the currency's minor unit. Raises `KeyError` for what is no currency: the catalog was checked."""
    return CURRENCIES[code]
