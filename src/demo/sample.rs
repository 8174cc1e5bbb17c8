//! The data that the demo imports: New York's departures in 2013 (nycflights13, CC0). Some of it lies in a folder, some
//! is served over HTTP behind a token, as a company's own sources would be.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, get};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};

use crate::secrets;

const AIRLINES: &[u8] = include_bytes!("../../tests/data/airlines.csv");
const AIRPORTS: &[u8] = include_bytes!("../../tests/data/airports.csv");
const PLANES: &[u8] = include_bytes!("../../tests/data/planes.csv");
const WEATHER: &[u8] = include_bytes!("../../tests/data/weather.csv");

/// Puts the files of the Folder connection where it looks.
pub fn write_files(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, bytes) in [("airlines.csv", AIRLINES), ("airports.csv", AIRPORTS), ("planes.csv", PLANES)] {
        let file = folder.join(name);
        if !file.exists() {
            std::fs::write(&file, bytes)?;
            // They lay there before the imports that the demo looks back on.
            let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_388_534_400);
            std::fs::File::options().write(true).open(file)?.set_modified(long_ago)?;
        }
    }
    Ok(())
}

/// Where the sample files are.
pub struct Place {
    pub folder: PathBuf,
    pub url: String,
    pub token: String,
}

/// Serves the weather to who has the token.
pub struct SampleServer {
    handle: ServerHandle,
    url: String,
    token: String,
}

impl SampleServer {
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let url = format!("http://{}/", listener.local_addr()?);
        let token = secrets::random_token();
        let expected = Data::new(format!("Bearer {token}"));
        let server =
            HttpServer::new(move || App::new().app_data(expected.clone()).route("/weather.csv", get().to(weather)))
                .workers(1)
                .disable_signals()
                .listen(listener)?
                .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { handle, url, token })
    }

    pub fn place(&self, folder: &Path) -> Place {
        Place { folder: folder.to_owned(), url: self.url.clone(), token: self.token.clone() }
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

async fn weather(request: HttpRequest, expected: Data<String>) -> HttpResponse {
    let given = request.headers().get("Authorization").and_then(|value| value.to_str().ok());
    if !given.is_some_and(|given| secrets::same(given, expected.as_str())) {
        return HttpResponse::Unauthorized().finish();
    }
    HttpResponse::Ok().content_type("text/csv").body(WEATHER)
}
