"""Meta's currencies and their smallest coin."""

from __future__ import annotations

from typing import Final

__all__ = ["HUNDREDTHS", "WHOLE_UNITS"]

#: Currencies whose smallest coin at Meta is the whole unit, and those that have hundredths. They
#: differ from ISO 4217 both ways. Source: Marketing API, Currency codes (2024-04-16); LKR from the
#: enum of the SDK (facebook-business 26.0.3, AdAccount.Currency).
WHOLE_UNITS: Final = frozenset("CLP COP CRC HUF ISK IDR JPY KRW PYG TWD VND".split())
HUNDREDTHS: Final = frozenset(
    (
        "AED ARS AUD BDT BGN BHD BOB BRL CAD CHF CNY CZK DKK DZD EGP EUR FBZ GBP GTQ HKD HNL HRK "
        "ILS INR JOD KES LKR LTL LVL MOP MXN MYR NGN NIO NOK NZD PEN PHP PKR PLN QAR RON RSD RUB "
        "SAR SEK SGD SKK THB TRY UAH USD UYU VEF VES ZAR"
    ).split()
)
