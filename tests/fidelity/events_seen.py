"""Change events that a real org sent, as test vectors: three of Account, from the repository Valeriyyy/SalesforceGRPC
(SalesforceGrpc/json/AccountEvents), which carries this licence:

    MIT License. Copyright (c) 2023 Valeriy Kutsar. Permission is hereby granted, free of charge, to any person
    obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software
    without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute,
    sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so,
    subject to the following conditions: The above copyright notice and this permission notice shall be included in
    all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY
    KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR
    PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
    OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION
    WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

from __future__ import annotations

A_NUMBER = (
    "DkFjY291bnQCJDAwMURwMDAwMDBKSmtrSElBVAACaGNvbS9zYWxlc2ZvcmNlL2FwaS9zb2FwLzY2LjA7Y2xpZW50PVNmZGNJbnRlcm5h"
    "bEFQSS9IMDAwMzRjNzQtMDUwMC1hYTc3LWZjMzUtMjY1OTE3NDcwZTk5AsCRvJONZ7qG4P7hygUkMDA1RHAwMDAwMDBQcGpzSUFDAAAC"
    "KDB4MTAwMDAwMDAwMDAwODAwMDAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACwJG8k41nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAACAAAAAABCqUAAAAAAAAAAAAAAAAAAAAAAAA=="
)
A_STREET = (
    "DkFjY291bnQCJDAwMURwMDAwMDBKSmtrSElBVAACaGNvbS9zYWxlc2ZvcmNlL2FwaS9zb2FwLzY2LjA7Y2xpZW50PVNmZGNJbnRlcm5h"
    "bEFQSS9IMDAwMDNhZGItNjk0Mi00NDdlLTYwMzMtOWU4ZmU3NDEyMzBmAvD+oZyNZ8iYncHiygUkMDA1RHAwMDAwMDBQcGpzSUFDAAAE"
    "EDB4ODAwMDAwDDYtMHgwMQAAAAAAAAICIjEwMSBDYWxpZm9ybmlhIFN0AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALw/qGcjWcAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
)
A_PLACE_ON_THE_MAP = (
    "DkFjY291bnQCJDAwMURwMDAwMDBKSmtrSElBVAACAEgwMDAwMzkyOS1mMTZmLTVkMGQtYTg0Mi1mODk1N2M2NWE5MDECwI6inI1n3qed"
    "weLKBSQwMDVEcDAwMDAwMzQwYkZJQVEAAAIQNi0weDAxODAAAAAAAAACAAAAAAAAAAInhA66hOVCQALzqs5qgZlewAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""Payloads in base64: a number was changed; a street was; the org looked up its place on the map."""

REPLAY_IDS = ("AAAAAAAXkCkAAA==", "AAAAAAAXkFAAAA==", "AAAAAAAXkFEAAA==")
