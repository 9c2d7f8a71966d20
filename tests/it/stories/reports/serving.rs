//! Reports over HTTP, as CSV, and by schedule.

use crate::support::client::{self, Answer};
use crate::support::clinic::Clinic;
use crate::support::wix::{Patient, Visit};
use serde_json::Value;

on_both_engines!(
    json_and_csv_have_the_same_figures,
    a_wrong_start_names_the_right_one,
    monday_at_six_last_weeks_report_is_made_and_stays,
);

fn booked(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", "2026-11-25T10:30:00+11:00").created());
    clinic.reply(&Patient::jane(), "Yes");
}

fn csv(clinic: &Clinic, path: &str) -> Answer {
    let key = clinic.key();
    client::send(clinic.address, "GET", path, &[("Authorization", &format!("Bearer {key}")), ("Accept", "text/csv")], &[])
        .unwrap()
}

fn json_and_csv_have_the_same_figures(clinic: &Clinic) {
    booked(clinic);
    let path = "/api/reports/weekly?start=2026-11-23";
    let json = clinic.get(path).json();
    assert_eq!((json["period_start"].as_str(), json["cache"].as_str()), (Some("2026-11-23T00:00:00+11:00"), Some("fresh")));
    assert_eq!((json["is_over"].as_bool(), json["is_final"].as_bool()), (Some(false), Some(false)));
    let text = csv(clinic, path);
    assert_eq!(text.header("content-type"), Some("text/csv; charset=utf-8"));
    let mut lines = text.body.lines();
    assert_eq!(lines.next(), Some("report,start,figure,by,group,unit,value,numerator,denominator"));
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let figures = json["figures"].as_array().unwrap();
    let of_json = figures.iter().map(|f| {
        let cells = ["name", "by", "group", "unit", "value", "numerator", "denominator"].map(|name| cell(&f[name]));
        format!("weekly,2026-11-23,{}", cells.join(","))
    });
    assert_eq!(lines.map(str::to_owned).collect::<Vec<_>>(), of_json.collect::<Vec<_>>());
    let value = |name: &str| figures.iter().find(|f| f["name"] == name && f["group"].is_null()).unwrap()["value"].clone();
    assert_eq!((value("bookings_made"), value("appointments")), (1.into(), 1.into()));
    assert_eq!(value("confirmed_by_reply"), 1.0);
    assert_eq!(value("show_rate"), Value::Null, "nobody has come yet");
    assert_eq!(clinic.get(path).json()["cache"], "kept");
}

fn a_wrong_start_names_the_right_one(clinic: &Clinic) {
    for (path, hint) in [
        ("/api/reports/weekly?start=2026-11-24", "2026-11-23"),
        ("/api/reports/monthly?start=2026-11-24", "2026-11-01"),
        ("/api/reports/weekly?start=2026-12-07", "until today"),
        ("/api/reports/weekly?start=yesterday", "a day such as"),
    ] {
        let answer = clinic.get(path);
        assert_eq!(answer.status, 400, "{path}");
        let error = answer.json()["errors"][0].clone();
        assert_eq!(error["pointer"], "/query/start");
        assert!(error["detail"].as_str().unwrap().contains(hint), "{error}");
    }
    let last = clinic.get("/api/reports/monthly").json();
    assert_eq!(last["start"], "2026-10-01", "the last one that is over");
}

fn monday_at_six_last_weeks_report_is_made_and_stays(clinic: &Clinic) {
    booked(clinic);
    clinic.advance("2026-11-30T06:00:00+11:00");
    let listed = clinic.get("/api/reports?kind=weekly").json();
    let kept: Vec<&Value> = listed["items"].as_array().unwrap().iter().filter(|r| r["origin"] == "schedule").collect();
    assert_eq!((kept.len(), kept[0]["stale"].as_bool()), (1, Some(false)), "{listed}");
    assert_eq!(kept[0]["generated_at"], "2026-11-30T06:00:00+11:00");
    let path = format!("/api/reports/{}", kept[0]["id"].as_str().unwrap());
    let before = clinic.get(&path).json();
    assert_eq!((before["start"].as_str(), before["is_over"].as_bool()), (Some("2026-11-23"), Some(true)));
    assert_eq!(clinic.words("SELECT status AS value FROM event_log WHERE event_type = 'report_weekly'"), ["processed"]);
    assert!(
        clinic.tasks().iter().any(|task| task.starts_with("report_weekly todo")),
        "the manager is told: {:?}",
        clinic.tasks()
    );
    // Somebody says on Monday that Jane had not come.
    clinic.execute("UPDATE bookings SET status = 'no_show', version = version + 1");
    let now = clinic.get("/api/reports/weekly?start=2026-11-23").json();
    assert_eq!(now["cache"], "fresh");
    assert_eq!(clinic.get(&path).json(), before, "what was made stays");
    let listed = clinic.get("/api/reports?kind=weekly").json();
    assert!(listed["items"].as_array().unwrap().iter().any(|r| r["origin"] == "schedule" && r["stale"] == true));
}
