"""Addresses of the web and of mail in a text: `https://a.org/b?c=d#e`, `www.a.org`, `a.b+c@d.org`."""

from __future__ import annotations


def address(letters: str) -> str:
    """A pattern of addresses, of which `letters` is the set of letters and digits (as within square brackets).

    Their signs are those of RFC 3986. What a sentence goes on with is no part of one: a full stop or a comma behind it,
    a bracket that was not opened in it. A host without a scheme needs a path. Names and labels are bounded (RFC 5321,
    §4.5.3.1; RFC 1035, §2.3.4), so that no text takes long to search.
    """
    inner = rf"[{letters}\-._~:/?#\[\]@!$&'*+,;=%]"
    last = rf"[{letters}/_~=&%+#$@*-]"
    bracketed = rf"\({inner}{{0,200}}\)"
    path = rf"(?:{inner}|{bracketed})*(?:{last}|{bracketed})"
    label = rf"[{letters}-]{{1,63}}"
    host = rf"{label}(?:\.{label}){{0,8}}\.[{letters}]{{2,24}}(?::[0-9]{{1,5}})?"
    web = rf"(?:[A-Za-z][A-Za-z0-9+.\-]{{0,30}}://|[Ww]{{3}}\.){path}|{host}/(?:{path})?"
    mail = rf"[{letters}._%+\-]{{1,64}}@{label}(?:\.{label}){{1,8}}"
    return rf"(?:{mail}|{web})"
