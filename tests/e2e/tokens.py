"""Creates tokens as an issuer would: HS256 with a secret, RS256 and ES256 with openssl.

Not here: verifying them."""
import base64
import hashlib
import hmac
import json
import subprocess
import time

SECRET = b"a secret of the tests, which has more than 32 bytes"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(algorithm, claims):
    head = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
    return base64url(head) + "." + base64url(json.dumps(claims).encode())


def token(user="ana", seconds=3600, secret=SECRET, **claims):
    """A token signed with HS256 that expires in so many seconds."""
    text = unsigned("HS256", {"sub": user, "exp": int(time.time()) + seconds, **claims})
    digest = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return text + "." + base64url(digest)


def make_pair(folder, algorithm):
    """Writes a private and a public key; returns their paths."""
    private, public = f"{folder}/{algorithm}.key", f"{folder}/{algorithm}.pem"
    kind = (["RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if algorithm == "RS256" else
            ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
    subprocess.run(["openssl", "genpkey", "-algorithm", *kind, "-out", private], check=True,
                   stderr=subprocess.DEVNULL)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    return private, public


def flatten(signature):
    """ECDSA's two numbers side by side, from DER's SEQUENCE of two INTEGERs."""
    numbers, at = b"", 2
    for _ in range(2):
        length = signature[at + 1]
        number = int.from_bytes(signature[at + 2:at + 2 + length], "big")
        numbers += number.to_bytes(32, "big")
        at += 2 + length
    return numbers


def signed_token(private, algorithm, **claims):
    """A token that is signed with a private key."""
    text = unsigned(algorithm, {"sub": "ana", "exp": int(time.time()) + 3600, **claims})
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", private],
                               input=text.encode(), capture_output=True, check=True).stdout
    return text + "." + base64url(flatten(signature) if algorithm == "ES256" else signature)
