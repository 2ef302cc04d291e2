"""What people agree to who sign up. A new text is a new version, and each sign-up keeps which one it agreed to."""

from __future__ import annotations

VERSION = "1"
TEXT = (
    "I agree that this server keeps my e-mail address and what I follow, which can tell something about my health, and "
    "that it sends me e-mails which name the studies. My mail provider can read them. I can end this at any time by a "
    "link in each e-mail; then all of it is deleted."
)
