//! The dashboard as the program serves it.

use crate::harness::{Kind, Place};

#[tokio::test]
async fn pages_come_with_their_headers() {
    let place = Place::new(Kind::Sqlite).await;
    let server = place.serve().await;
    let browser = server.anonymous();
    let home = browser.get("/").await;
    assert_eq!((home.status, home.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!((home.header("cache-control"), home.header("content-encoding")), ("no-cache", ""));
    // Nothing is allowed to run that stands in the page itself, and nothing does.
    let policy = home.header("content-security-policy");
    assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe") && !policy.contains("script-src"));
    assert!(
        home.text.split("<script").skip(1).all(|script| script.contains(" src=\"/") && script.contains("></script>"))
    );
    assert!(!home.text.contains("<style") && !home.text.contains(" style="));
    assert_eq!(browser.get("/credentials?sort=name").await.text, home.text, "the application's own paths");
    let seen = browser.with("if-none-match", home.header("etag")).get("/").await;
    assert_eq!((seen.status, seen.text.as_str()), (304, ""));

    // What a client accepts, the best first, and never what it refuses.
    for (accepted, encoding) in [
        ("gzip, deflate, br", "br"),
        ("br;q=0.1", "br"),
        ("gzip;q=1.0", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br; q=0.000", ""),
        ("brotli, x-gzip", ""),
        ("", ""),
    ] {
        let reply = browser.with("accept-encoding", accepted).get("/").await;
        assert_eq!((reply.status, reply.header("content-encoding")), (200, encoding), "{accepted}");
        assert_eq!(reply.header("vary"), "accept-encoding");
    }

    let link = home.text.split('"').find(|text| text.starts_with("/assets/")).unwrap();
    let asset = browser.get(link).await;
    assert_eq!((asset.status, asset.header("cache-control")), (200, "public, max-age=31536000, immutable"));
    // A page that is open while the program is replaced asks for what is gone.
    browser.get("/assets/gone.js").await.problem(404, 2002, "not_found");
    assert_eq!(browser.get("/robots.txt").await.text.lines().last(), Some("Disallow: /"));
    assert_eq!(browser.get("/index.html.br").await.text, home.text, "nobody's file");
}
