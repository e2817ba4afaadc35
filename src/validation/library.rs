//! What the names of packages stand for: one that the binary carries, `name@version` of the lock with everything it
//! starts from, or a file or folder.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use signalbox_validator::{LoadProblem, LoadWarning, PackError, PackInfo};

use super::lock::{FILE, Lock, Locked};
use super::packages::{self, Opened};
use super::reference::{Reference, nearest_of};
use super::{Validation, lock};
use crate::config::{Problem, nearest};

/// Where names are looked up.
#[derive(Clone, Copy)]
pub struct Library<'s> {
    /// What `name@version` means.
    pub lock: &'s Lock,
    /// The folder that paths start from.
    pub paths: &'s Path,
    /// What the binary carries.
    pub plain: &'s Validation,
}

/// What a name stands for.
enum Found<'s> {
    /// The pack at this place among those that the binary carries; the base is the first.
    Carried(usize),
    Locked(&'s Locked),
    Path(PathBuf),
}

/// The definitions that names stand for, each package once and after those it starts from.
#[derive(Default)]
pub struct Gathered {
    carried: Vec<usize>,
    taken: HashSet<Reference>,
    infos: Vec<PackInfo>,
    resources: Vec<(String, Vec<u8>)>,
    lacking: Vec<String>,
    /// Definitions of packages that the binary carries too: that they stand for those is what was asked for.
    replacing: HashSet<String>,
}

impl Gathered {
    /// Everything that the binary carries.
    #[must_use]
    pub fn all_carried() -> Self {
        Self { carried: (1..packages::carried().count()).collect(), ..Self::default() }
    }

    /// A sentence for each package that is needed and is not there, since this was last asked.
    pub fn lacking(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lacking)
    }

    /// Adds what was read.
    pub fn add(&mut self, opened: Opened, plain: &Validation) {
        let is_carried = |info: &PackInfo| plain.packs().iter().any(|(name, _)| *name == info.name);
        if opened.info.as_ref().is_some_and(is_carried) {
            self.replacing.extend(opened.definitions.iter().map(|(source, _)| source.clone()));
        }
        self.infos.extend(opened.info);
        self.resources.extend(opened.definitions);
    }

    fn carry(&mut self, at: usize) {
        if at > 0 && !self.carried.contains(&at) {
            self.carried.push(at);
        }
    }

    /// The compiled set, and what could not be used of what was named. What the binary's own packs lack is nothing that
    /// the caller could mend.
    ///
    /// # Errors
    /// When a pack of the binary cannot be read, or a base type is spoiled.
    pub fn compile(self) -> Result<(Validation, Vec<LoadWarning>), PackError> {
        let given: HashSet<String> = self.resources.iter().map(|(source, _)| source.clone()).collect();
        let packs: Vec<&[u8]> = self.carried.iter().filter_map(|at| packages::carried().nth(*at)).collect();
        let (set, mut warnings) = Validation::of(&packs, self.resources, self.infos)?;
        warnings.retain(|warning| {
            let is_meant = warning.problem == LoadProblem::Redefined && self.replacing.contains(&warning.source);
            given.contains(&warning.source) && !is_meant
        });
        Ok((set, warnings))
    }
}

impl<'s> Library<'s> {
    /// Adds what a name stands for.
    ///
    /// # Errors
    /// When it stands for nothing, or for what cannot be used.
    pub fn gather(&self, name: &str, into: &mut Gathered) -> Result<(), Problem> {
        match self.find(name)? {
            Found::Carried(at) => into.carry(at),
            Found::Locked(package) => self.take(package, into).map_err(Problem::Other)?,
            Found::Path(path) => into.add(packages::read(&path, self.plain).map_err(Problem::Other)?, self.plain),
        }
        Ok(())
    }

    /// What one name stands for by itself, without what it starts from.
    ///
    /// # Errors
    /// When it stands for nothing, or for what cannot be read.
    pub fn open(&self, name: &str) -> Result<Opened, Problem> {
        match self.find(name)? {
            Found::Carried(at) => {
                let pack = packages::carried().nth(at).unwrap_or_default();
                Opened::package(pack, name).map_err(|error| Problem::Other(error.to_string()))
            }
            Found::Locked(package) => package.open(self.lock.folder()).map_err(Problem::Other),
            Found::Path(path) => packages::read(&path, self.plain).map_err(Problem::Other),
        }
    }

    /// Adds what a package starts from; what is not there is told by [`Gathered::lacking`].
    ///
    /// # Errors
    /// A sentence about a package that cannot be read.
    pub fn gather_dependencies(&self, who: &str, needs: &[Reference], into: &mut Gathered) -> Result<(), String> {
        for wanted in needs {
            if let Some(found) = self.lock.answer(wanted) {
                self.take(found, into)?;
            } else if let Some(at) = self.carried(wanted) {
                into.carry(at);
            } else {
                into.lacking.push(format!(
                    "{who} starts from {wanted}, which is not here, so what that defines is not checked: add it by `signalbox package add`"
                ));
            }
        }
        Ok(())
    }

    /// Whether a dependency is here, and where.
    #[must_use]
    pub fn has(&self, wanted: &Reference) -> Option<&'static str> {
        let in_lock = self.lock.answer(wanted).map(|_| "in the lock");
        in_lock.or_else(|| self.carried(wanted).map(|_| "built in"))
    }

    /// The pack of the binary that is what a dependency asks for.
    fn carried(&self, wanted: &Reference) -> Option<usize> {
        let packs = self.plain.packs();
        packs.iter().position(|(name, version)| Reference::new(name, version).is_ok_and(|pack| pack.answers(wanted)))
    }

    fn take(&self, package: &Locked, into: &mut Gathered) -> Result<(), String> {
        if !into.taken.insert(package.reference.clone()) {
            return Ok(());
        }
        self.gather_dependencies(&package.reference.to_string(), &package.dependencies, into)?;
        into.add(package.open(self.lock.folder())?, self.plain);
        Ok(())
    }

    fn find(&self, name: &str) -> Result<Found<'s>, Problem> {
        if let Some(at) = packages::built_in().iter().position(|known| *known == name) {
            return Ok(Found::Carried(at + 1));
        }
        let path = self.paths.join(name);
        if let Some(reference) = Reference::read(name) {
            let carried = || self.carried(&reference).map(Found::Carried);
            let found = self.lock.get(&reference).map(Found::Locked).or_else(carried);
            return found.ok_or_else(|| self.unknown(name, path.exists()));
        }
        if path.exists() { Ok(Found::Path(path)) } else { Err(self.not_there(name)) }
    }

    /// `name@version` that nobody has.
    fn unknown(&self, name: &str, is_path: bool) -> Problem {
        let lock = if self.lock.is_there() {
            format!("which {FILE} does not have")
        } else {
            format!("and there is no {FILE}")
        };
        let perhaps = self.nearest(name);
        let perhaps = match perhaps {
            _ if is_path => format!(", or \"./{name}\" for the file of that name"),
            Some(near) => format!(", perhaps {near:?}"),
            None => String::new(),
        };
        let expected = format!("a package that was added by `signalbox package add`{perhaps}");
        Problem::Unexpected { found: format!("{name:?}, {lock}"), expected }
    }

    /// The package, of the lock or built in, that was probably meant.
    fn nearest(&self, written: &str) -> Option<String> {
        let packs = self.plain.packs();
        let carried = packs.iter().filter_map(|(name, version)| Reference::new(name, version).ok());
        let carried: Vec<Reference> = carried.collect();
        nearest_of(written, self.lock.packages().iter().map(|package| &package.reference).chain(&carried))
    }

    /// A path that leads nowhere.
    fn not_there(&self, name: &str) -> Problem {
        let path = Path::new(name);
        let beside = self.paths.join(path.parent().unwrap_or(Path::new("")));
        let beside = if beside.as_os_str().is_empty() { PathBuf::from(".") } else { beside };
        let files = std::fs::read_dir(beside).into_iter().flatten().flatten();
        let files = files.map(|entry| path.with_file_name(entry.file_name()).display().to_string());
        let files: Vec<String> = files.chain(packages::built_in().into_iter().map(str::to_owned)).collect();
        let near = self.nearest(name);
        let near = near.as_deref().or_else(|| nearest(name, files.iter().map(String::as_str)));
        let perhaps = near.map(|near| format!(", perhaps {near:?}")).unwrap_or_default();
        let expected = format!(
            "a FHIR package (.tgz), a folder or a file of resources, name@version of {FILE}, or one the binary carries ({}){perhaps}",
            packages::built_in().join(", "),
        );
        Problem::Unexpected { found: format!("{name:?}, which is not there"), expected }
    }
}

impl Locked {
    /// Reads its file and holds it to the SHA-256 of the lock.
    ///
    /// # Errors
    /// A sentence that says why it cannot be used.
    pub fn open(&self, folder: &Path) -> Result<Opened, String> {
        let (reference, file) = (&self.reference, &self.file);
        let told = format!("{file}, which {} names for {reference},", lock::FILE);
        let bytes = std::fs::read(folder.join(file)).map_err(|error| {
            format!("{told} cannot be read: {error}; add the package again by `signalbox package add`")
        })?;
        let found = sha256(&bytes);
        if found != self.sha256 {
            return Err(format!(
                "{told} has other content than was added (SHA-256 {}…, expected {}…): put the file back as it was; \
                 `signalbox package verify` tells of every file",
                &found[..12],
                &self.sha256[..12]
            ));
        }
        Opened::package(&bytes, &reference.to_string())
            .map_err(|error| format!("{told} is not a FHIR package: {error}"))
    }
}

/// SHA-256 in hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
