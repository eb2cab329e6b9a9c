"""An OpenID Connect provider in memory: it hands out codes, checks PKCE and the client, and signs id tokens."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import RSAKey

from twinbook.http import HttpResponse

ISSUER = "https://login.acme.example/realms/acme"
CLIENT, SECRET = "twinbook", "the secret: of/twinbook"


@dataclass(slots=True)
class Provider:
    """`claims` are those of the person who signs in next; `spoil` changes an id token before it is signed."""

    now: Callable[[], float]
    claims: dict[str, Any] = field(default_factory=dict)
    spoil: dict[str, Any] = field(default_factory=dict)
    issuer: str = ISSUER
    signing: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    published: RSAKey | None = None
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, address: str) -> dict[str, str]:
        """What a person does at the provider: comes with this address, and is sent back with these parameters."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
        data: bytes | None = None,
    ) -> HttpResponse:
        path = url.removeprefix(ISSUER)
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/keys"}
            places = {name: ISSUER + place for name, place in names.items()}
            return self._answer(200, {"issuer": self.issuer, **places})
        if path == "/keys":
            return self._answer(200, {"keys": [(self.published or self.signing).as_dict(private=False)]})
        assert (method, path) == ("POST", "/token")
        return self._token(parse_qs((data or b"").decode()), headers or {})

    def _token(self, form: Mapping[str, list[str]], headers: Mapping[str, str]) -> HttpResponse:
        login = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
        asked = self._codes.pop(form["code"][0], None)
        challenge = create_s256_code_challenge(form["code_verifier"][0])
        wanted = "twinbook:the%20secret%3A%20of%2Ftwinbook"
        if asked is None or challenge != asked["code_challenge"] or login != wanted:
            return self._answer(400, {"error": "invalid_grant"})
        assert form["redirect_uri"][0] == asked["redirect_uri"]
        now = int(self.now())
        claims = {"iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        token = jwt.encode(
            {"alg": "RS256", "kid": "1"}, {**claims, **self.claims, **self.spoil}, self.signing
        )
        return self._answer(200, {"access_token": "unused", "token_type": "Bearer", "id_token": token})

    def _answer(self, status: int, body: object) -> HttpResponse:
        return HttpResponse(status, {}, orjson.dumps(body), self.now())
