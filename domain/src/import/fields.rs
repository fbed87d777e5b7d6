//! Which of our fields a column of the source is.

use super::{LineError, tidy};
use std::collections::BTreeMap;
use std::str::FromStr;
use strum::VariantNames;

/// What a credential may bring along.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Field {
    /// Telegram's number of the application.
    ApiId,
    /// Its secret.
    ApiHash,
    /// What people call it.
    Name,
    /// How many accounts may share it.
    MaxAccounts,
    /// The group it belongs to, by id or name.
    Group,
    /// Higher goes first.
    Priority,
    /// Kept for callers of high level.
    IsPremium,
    /// The lowest level that may have it.
    MinMemberLevel,
    /// Words to find it by.
    Tags,
    /// The phone number that registered it.
    SourcePhone,
    /// Anything else.
    Note,
}

/// What each field is called in the files that people have, in the form that [`plain`] gives.
const ALIASES: &[(Field, &[&str])] = &[
    (Field::ApiId, &["apiid", "appid", "appapiid", "applicationid", "應用id", "应用id", "接口id"]),
    (
        Field::ApiHash,
        &["apihash", "apphash", "appapihash", "hash", "apisecret", "appsecret", "雜湊", "哈希", "密鑰", "密钥"],
    ),
    (Field::Name, &["name", "appname", "apptitle", "title", "label", "名稱", "名称", "名字", "應用名稱", "应用名称"]),
    (
        Field::MaxAccounts,
        &[
            "maxaccounts",
            "maxaccount",
            "max",
            "capacity",
            "limit",
            "最大帳號數",
            "最大账号数",
            "帳號上限",
            "账号上限",
            "容量",
        ],
    ),
    (Field::Group, &["group", "groupid", "groupname", "群組", "群组", "分組", "分组"]),
    (Field::Priority, &["priority", "優先級", "优先级", "優先順序", "優先"]),
    (Field::IsPremium, &["ispremium", "premium", "vip", "高級", "高级"]),
    (
        Field::MinMemberLevel,
        &["minmemberlevel", "memberlevel", "minlevel", "level", "會員等級", "会员等级", "最低等級", "最低等级"],
    ),
    (Field::Tags, &["tags", "tag", "labels", "標籤", "标签"]),
    (
        Field::SourcePhone,
        &[
            "sourcephone",
            "phone",
            "phonenumber",
            "registeredphone",
            "手機",
            "手机",
            "手機號",
            "手机号",
            "電話",
            "电话",
            "來源電話",
            "来源电话",
        ],
    ),
    (
        Field::Note,
        &["note", "notes", "remark", "remarks", "comment", "description", "備註", "备注", "註記", "說明", "说明"],
    ),
];

/// `id` alone may be anyone's; it counts only where no better name stands beside it.
const WEAK_ALIAS: &str = "id";

/// The order of the fields where nothing names them.
const POSITIONS: [Field; 3] = [Field::ApiId, Field::ApiHash, Field::Name];

impl Field {
    fn by_alias(header: &str) -> Option<Self> {
        let header = plain(header);
        ALIASES.iter().find(|(_, names)| names.contains(&header.as_str())).map(|(field, _)| *field)
    }
}

/// `API ID (required)` → `apiid`.
fn plain(header: &str) -> String {
    let name = header.split(['(', '（', '[']).next().unwrap_or_default();
    name.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What the caller said about columns.
#[derive(Debug, Default)]
pub(super) struct Columns {
    by_header: BTreeMap<String, Option<Field>>,
    by_position: BTreeMap<usize, Option<Field>>,
}

impl Columns {
    pub(super) fn new(columns: Option<&BTreeMap<String, String>>) -> Result<Self, LineError> {
        let mut known = Self::default();
        for (source, target) in columns.into_iter().flatten() {
            let target = match tidy(target) {
                "" | "ignore" => None,
                name => Some(Field::from_str(name).map_err(|_| {
                    let names = Field::VARIANTS.join(", ");
                    LineError::new("columns", format!("a column can only become one of: {names}, ignore"))
                })?),
            };
            match tidy(source).parse() {
                Ok(position) => known.by_position.insert(position, target),
                Err(_) => known.by_header.insert(plain(source), target),
            };
        }
        Ok(known)
    }

    /// The fields of an object's keys, whose order means nothing.
    pub(super) fn keyed<'a>(&self, keys: impl Iterator<Item = &'a str>) -> Vec<Option<Field>> {
        self.assign(&keys.collect::<Vec<_>>(), |_| None)
    }

    /// The fields of a row of headers.
    fn named(&self, headers: &[&str]) -> Vec<Option<Field>> {
        self.assign(headers, |at| self.by_position.get(&at))
    }

    /// A field that two columns claim goes to the one the caller named, else to the first.
    fn assign<'a>(
        &'a self,
        headers: &[&str],
        by_position: impl Fn(usize) -> Option<&'a Option<Field>>,
    ) -> Vec<Option<Field>> {
        let mut layout = vec![None; headers.len()];
        let mut settled = vec![false; headers.len()];
        let mut taken = Vec::new();
        for (at, header) in headers.iter().enumerate() {
            let said = by_position(at).or_else(|| self.by_header.get(&plain(header)));
            if let Some(field) = said {
                settled[at] = true;
                layout[at] = field.filter(|field| !taken.contains(field));
                taken.extend(layout[at]);
            }
        }
        for (at, header) in headers.iter().enumerate().filter(|(at, _)| !settled[*at]) {
            layout[at] = Field::by_alias(header).filter(|field| !taken.contains(field));
            taken.extend(layout[at]);
        }
        if !taken.contains(&Field::ApiId) {
            let weak = (0..headers.len()).find(|at| !settled[*at] && plain(headers[*at]) == WEAK_ALIAS);
            if let Some(at) = weak {
                layout[at] = Some(Field::ApiId);
            }
        }
        layout
    }

    /// The fields of a row that has no header.
    pub(super) fn positional(&self, width: usize) -> Vec<Option<Field>> {
        let claimed = |field: &Field| self.by_position.values().flatten().any(|said| said == field);
        (0..width)
            .map(|at| match self.by_position.get(&at) {
                Some(said) => *said,
                None => POSITIONS.get(at).copied().filter(|field| !claimed(field)),
            })
            .collect()
    }

    /// The layout that a first row gives if it is a header: it names a field that is known, it says
    /// where the `api_id` or the hash stands, and where the `api_id` would stand there is no number.
    pub(super) fn header<'a>(&self, cells: impl Iterator<Item = &'a str>) -> Option<Vec<Option<Field>>> {
        let cells: Vec<&str> = cells.collect();
        let is_name = |cell: &&str| {
            let name = plain(cell);
            self.by_header.contains_key(&name) || name == WEAK_ALIAS || Field::by_alias(cell).is_some()
        };
        if !cells.iter().any(is_name) {
            return None;
        }
        let layout = self.named(&cells);
        if !layout.iter().flatten().any(|field| matches!(field, Field::ApiId | Field::ApiHash)) {
            return None;
        }
        let api_id = layout.iter().position(|field| *field == Some(Field::ApiId)).unwrap_or(0);
        let is_number = cells.get(api_id).is_some_and(|cell| {
            let cell = tidy(cell);
            !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        });
        (!is_number).then_some(layout)
    }
}

/// How a message names a column.
pub(super) fn column_name(layout: &[Option<Field>], at: usize) -> String {
    match layout.get(at).copied().flatten() {
        Some(field) => field.to_string(),
        None => format!("column {}", at + 1),
    }
}
