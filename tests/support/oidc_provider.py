"""A small OpenID Connect provider, as a process of its own: whoever it is told to be signs in at once.

`python -m tests.support.oidc_provider PORT`; `POST /as {"email": ..., ...}` says who comes next.
"""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from tests.support.desk import free_port

ROOT = Path(__file__).resolve().parents[2]
CLIENT_ID, CLIENT_SECRET = "desk", "desk-secret"


class Provider:
    """The provider's side: keys, who is there, and codes given out."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
        self.person: dict[str, Any] = {}
        self.codes: dict[str, dict[str, Any]] = {}

    async def discover(self, _request: Request) -> JSONResponse:
        """Where everything is."""
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def become(self, request: Request) -> JSONResponse:
        """Says who signs in next."""
        self.person = await request.json()
        return JSONResponse(self.person)

    async def authorize(self, request: Request) -> RedirectResponse:
        """Gives a code to whoever is there."""
        asked, code = request.query_params, secrets.token_urlsafe(16)
        self.codes[code] = {"nonce": asked.get("nonce"), **self.person}
        answer = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{answer}")

    async def token(self, request: Request) -> JSONResponse:
        """Changes a code into an id token, once."""
        form = await request.form()
        claims = self.codes.pop(str(form.get("code")), None)
        if claims is None:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims |= {"iss": self.issuer, "aud": CLIENT_ID, "sub": claims["email"], "iat": now, "exp": now + 600}
        id_token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        return JSONResponse(
            {"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": id_token}
        )

    async def keys(self, _request: Request) -> JSONResponse:
        """The public key."""
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def app(self) -> Starlette:
        """The provider's routes."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discover),
                Route("/as", self.become, methods=["POST"]),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
            ]
        )


@dataclass
class RunningProvider:
    """A provider that answers."""

    url: str
    process: subprocess.Popen[bytes]

    def become(self, email: str, *, verified: bool = True) -> None:
        """Says who signs in next."""
        told = {"email": email, "name": email.partition("@")[0], "email_verified": verified}
        requests.post(f"{self.url}/as", json=told, timeout=5).raise_for_status()

    def secrets(self, desk_url: str) -> str:
        """The desk's secrets.toml for this provider."""
        return "\n".join(
            (
                "[auth]",
                f'redirect_uri = "{desk_url}/oauth2callback"',
                f'cookie_secret = "{secrets.token_hex(32)}"',
                f'client_id = "{CLIENT_ID}"',
                f'client_secret = "{CLIENT_SECRET}"',
                f'server_metadata_url = "{self.url}/.well-known/openid-configuration"',
            )
        )

    def stop(self) -> None:
        """Ends the process."""
        self.process.terminate()
        self.process.wait(10)


def start_provider() -> RunningProvider:
    """Starts a provider on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "tests.support.oidc_provider", str(port)]
    running = RunningProvider(f"http://127.0.0.1:{port}", subprocess.Popen(command, cwd=ROOT))
    for _ in range(200):
        with contextlib.suppress(requests.ConnectionError):
            requests.get(f"{running.url}/keys", timeout=1)
            return running
        time.sleep(0.1)
    running.stop()
    raise RuntimeError("the provider does not answer")


if __name__ == "__main__":
    chosen = int(sys.argv[1])
    uvicorn.run(Provider(chosen).app(), host="127.0.0.1", port=chosen, log_level="warning")
