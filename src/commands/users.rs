//! `user add`, `user passwd` and `token issue`.

use std::io::{IsTerminal, stdin};
use std::process::ExitCode;

use anyhow::{Context, bail};
use domain::access::{Role, Scope};
use domain::{MemberLevel, TenantId};
use secrecy::{ExposeSecret, SecretString};
use store::tokens::TokenDraft;
use store::{Origin, Store, StoreError};

pub async fn add(store: &Store, username: &str, role: Role) -> anyhow::Result<ExitCode> {
    let password = read_password()?;
    store.add_user(&TenantId::default(), &Origin::internal("cli"), username, &password, role).await?;
    println!("{username} can sign in now, as {role}");
    Ok(ExitCode::SUCCESS)
}

pub async fn passwd(store: &Store, username: &str) -> anyhow::Result<ExitCode> {
    let password = read_password()?;
    let user = store.user_by_name(username).await?.ok_or(StoreError::NotFound("user"))?;
    store.set_password(&Origin::internal("cli"), &user, &password).await?;
    println!("{username} has a new password");
    Ok(ExitCode::SUCCESS)
}

pub async fn issue_token(
    store: &Store,
    product: String,
    scopes: Vec<Scope>,
    member_level: MemberLevel,
    note: Option<String>,
) -> anyhow::Result<ExitCode> {
    let draft = TokenDraft { product, scopes, member_level, note, expires_at: None };
    let (_, token) = store.issue_token(&TenantId::default(), &Origin::internal("cli"), &draft).await?;
    // There is no key here that could have issued it before.
    println!("{}", token.as_ref().map_or("", ExposeSecret::expose_secret));
    Ok(ExitCode::SUCCESS)
}

/// Asked for twice on a terminal; otherwise one line of standard input. Never an argument: those
/// can be seen by everybody on the machine.
fn read_password() -> anyhow::Result<SecretString> {
    if !stdin().is_terminal() {
        let mut line = String::new();
        stdin().read_line(&mut line).context("cannot read the password from standard input")?;
        return Ok(SecretString::from(line.trim_end_matches(['\n', '\r'])));
    }
    let first = rpassword::prompt_password("Password: ")?;
    if first != rpassword::prompt_password("Again: ")? {
        bail!("the two passwords differ");
    }
    Ok(SecretString::from(first))
}
