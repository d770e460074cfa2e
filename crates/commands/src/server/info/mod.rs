//! INFO.

mod counters;
mod section_set;
mod sections;
mod text;

use section_set::{Section, SectionSet};
use tessera_command::prelude::*;
use text::Page;

pub struct Info;

impl Session for Info {
    const SPEC: Spec = Spec {
        name: "info",
        summary: "Tells about the server and its counters.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::LOADING.with(Flags::STALE),
        categories: Categories::DANGEROUS,
        grammar: &[string("section").optional().multiple()],
        history: &[("7.0.0", "Several sections in one call.")],
        policy: Policy::AsTips,
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        ..Spec::BASE
    };
    type Args<'a> = SectionSet;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok(SectionSet::parse(words.rest()))
    }

    fn execute(
        chosen: &SectionSet,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let host = &*session.host;
        let (facts, config, now_us) = (host.facts(), host.config(), host.unix_us());
        let mut page = Page::default();
        for section in Section::ALL.iter().copied().filter(|section| chosen.has(*section)) {
            page.begin(section.title());
            match section {
                Section::Server => sections::server(&facts, config, now_us, &mut page),
                Section::Clients => sections::clients(&facts, config, &mut page),
                Section::Memory => sections::memory(&facts, config, &mut page),
                Section::Persistence => {
                    sections::persistence(&facts, now_us.div_euclid(1_000_000), &mut page);
                }
                Section::Stats => counters::stats(&facts, &mut page),
                Section::Replication => sections::replication(&facts, &mut page),
                Section::Cpu => sections::cpu(&facts, &mut page),
                // There are none.
                Section::Modules => {}
                Section::CommandStats => counters::command_stats(host.registry(), host, &mut page),
                Section::ErrorStats => counters::error_stats(host, &mut page),
                Section::LatencyStats => counters::latency_stats(config, host.registry(), host, &mut page),
                Section::Cluster => page.line("cluster_enabled", 0),
                Section::Keyspace => sections::keyspace(&facts, &mut page),
                Section::Shards => sections::shards(&facts, &mut page),
            }
        }
        reply.verbatim("txt", &page.into_bytes());
        Ok(())
    }
}
