//! Access control: only a client that was given the address may send requests, from this machine, and only from the
//! page itself. Other pages in the same browser can send requests here as well, and their domain name may resolve to
//! this machine (DNS rebinding).

use axum::extract::{Request, State};
use axum::http::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Bytes of the secret in the address.
const TOKEN_BYTES: usize = 16;

/// The secret and the port that a request needs.
#[derive(Clone, Debug)]
pub struct AccessGuard {
    /// A secret: the first part of every path.
    pub token: String,
    /// Port on which the program listens.
    pub port: u16,
}

impl AccessGuard {
    /// Creates a guard with a new secret.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn new(port: u16) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self { token: bytes.iter().map(|byte| format!("{byte:02x}")).collect(), port })
    }

    /// Returns the address to open.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token)
    }

    /// Returns true if a request comes from the page at the address of this guard.
    fn is_allowed(&self, method: &Method, path: &str, headers: &HeaderMap) -> bool {
        let hosts = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        let text = |name: HeaderName| headers.get_all(name).into_iter().map(HeaderValue::to_str);
        let is_here = |host: &str| hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        let mut requested_hosts = text(HOST);
        let is_host =
            matches!((requested_hosts.next(), requested_hosts.next()), (Some(Ok(host)), None) if is_here(host));
        let is_origin = |origin: Result<&str, _>| origin.is_ok_and(|o| o.strip_prefix("http://").is_some_and(is_here));
        let is_site = |site: Result<&str, _>| {
            site.is_ok_and(|site: &str| {
                // `none`: the address was typed, or opened by the system.
                site == "same-origin" || site == "none" && method == Method::GET
            })
        };
        let secret = path.strip_prefix('/').and_then(|path| path.split('/').next()).unwrap_or_default();
        is_host
            && text(ORIGIN).all(is_origin)
            && text(HeaderName::from_static("sec-fetch-site")).all(is_site)
            && is_same(secret.as_bytes(), self.token.as_bytes())
    }
}

/// Compares in a time that does not depend on where two texts differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Content security policy of the page: it may load only what comes from this server.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                           base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers 403 to requests that are not allowed, and sends the headers that restrict the page.
pub async fn guard(State(access_guard): State<AccessGuard>, request: Request, next: Next) -> Response {
    if !access_guard.is_allowed(request.method(), request.uri().path(), request.headers()) {
        return (StatusCode::FORBIDDEN, "This address belongs to a page that goldmaster opened.\n").into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed_headers = [
        ("cache-control", "no-store"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ];
    for (name, value) in fixed_headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let policy = HeaderName::from_static("content-security-policy");
    headers.entry(policy).or_insert(HeaderValue::from_static(PAGE_POLICY));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_request_allowed(method: Method, path: &str, headers: &[(&str, &str)]) -> bool {
        let access_guard = AccessGuard { token: "0123456789abcdef".to_owned(), port: 4242 };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"));
        }
        access_guard.is_allowed(&method, path, &map)
    }

    #[test]
    fn only_the_page_itself_is_answered() {
        const HERE: (&str, &str) = ("host", "127.0.0.1:4242");
        let path = "/0123456789abcdef/state";
        let get = |headers: &[(&str, &str)]| is_request_allowed(Method::GET, path, headers);
        let post = |headers: &[(&str, &str)]| is_request_allowed(Method::POST, path, headers);
        assert!(get(&[HERE]) && get(&[("host", "localhost:4242")]));
        assert!(post(&[HERE, ("origin", "http://127.0.0.1:4242"), ("sec-fetch-site", "same-origin")]));
        assert!(get(&[HERE, ("sec-fetch-site", "none")]));
        for host in ["evil.example", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:4242.evil.example", "[::1]:4242", ""] {
            assert!(!get(&[("host", host)]), "{host}");
        }
        assert!(!get(&[]), "no host");
        assert!(!get(&[HERE, ("host", "evil.example")]), "two hosts");
        for origin in ["http://evil.example", "https://127.0.0.1:4242", "null", "http://127.0.0.1:4243", ""] {
            assert!(!post(&[HERE, ("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert!(!get(&[HERE, ("sec-fetch-site", site)]), "{site}");
        }
        assert!(!post(&[HERE, ("sec-fetch-site", "none")]));
        for path in ["/", "/state", "/0123456789abcdee/state", "/0123456789abcdef0/state", "//0123456789abcdef/state"] {
            assert!(!is_request_allowed(Method::GET, path, &[HERE]), "{path}");
        }
    }

    #[test]
    fn every_address_has_its_own_secret() {
        let [one, other] =
            [AccessGuard::new(1), AccessGuard::new(1)].map(|access_guard| access_guard.expect("random numbers"));
        assert_ne!(one.token, other.token);
        assert_eq!(one.token.len(), 2 * TOKEN_BYTES);
        assert_eq!(one.url(), format!("http://127.0.0.1:1/{}/", one.token));
    }
}
