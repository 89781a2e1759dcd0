"""A client's hello of TLS, made of lists of any length.

Not here: tests, and clients that finish the handshake (tls_backend.py)."""
import os

RECORD_BYTES = 16384
STATUS_REQUEST, SUPPORTED_GROUPS, SIGNATURES, PADDING, VERSIONS, AUTHORITIES, SIGNATURES_CERT, KEY_SHARE = (
    5, 10, 13, 21, 43, 47, 50, 51)
P_256, P_384, X25519, X25519_MLKEM768, UNKNOWN = 0x17, 0x18, 0x1d, 0x11ec, 0x4a4a
# A valid key: the base point.
P_256_KEY = bytes.fromhex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                          "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
CIPHERS = [0x1301, 0xc02b, 0xc02f]
ALGORITHMS = [0x0403, 0x0804, 0x0401]


def sized(data, size=2):
    return len(data).to_bytes(size, "big") + data


def codes(numbers):
    return sized(b"".join(number.to_bytes(2, "big") for number in numbers))


def key(group, data):
    return group.to_bytes(2, "big") + sized(data)


def extension(number, data):
    return number.to_bytes(2, "big") + sized(data)


def authorities(count):
    """The shortest names of certificate authorities: each is an empty sequence."""
    return extension(AUTHORITIES, sized(sized(b"\x30\0") * count))


def responders(count):
    """A request for the certificate's status, by any of these: each has an empty name."""
    one = sized(bytes.fromhex("a1023000"))
    return extension(STATUS_REQUEST, b"\x01" + sized(one * count) + sized(b""))


def records(message, size=RECORD_BYTES):
    return b"".join(b"\x16\x03\x01" + sized(message[at:at + size]) for at in range(0, len(message), size))


def header(size):
    """Of a hello with so many bytes."""
    return b"\x01" + size.to_bytes(3, "big")


def hello(ciphers=CIPHERS, groups=(X25519, P_256), algorithms=ALGORITHMS, algorithms_cert=None, keys=None, more=b""):
    """With `keys` it is one of TLS 1.3, else of TLS 1.2."""
    extensions = extension(SUPPORTED_GROUPS, codes(groups)) + extension(SIGNATURES, codes(algorithms)) + more
    if algorithms_cert is not None:
        extensions += extension(SIGNATURES_CERT, codes(algorithms_cert))
    if keys is not None:
        extensions += extension(VERSIONS, b"\x02\x03\x04") + extension(KEY_SHARE, sized(b"".join(keys)))
    body = b"\x03\x03" + os.urandom(32) + b"\0" + codes(ciphers) + b"\x01\0" + sized(extensions)
    return records(header(len(body)) + body)


def padded(size):
    """A hello of TLS 1.3 with so many bytes."""
    keys = [key(X25519, os.urandom(32))]
    short = hello(keys=keys, more=extension(PADDING, b""))
    return hello(keys=keys, more=extension(PADDING, bytes(size - len(short) + len(records(header(0))))))
