"""An Assist pipeline with Hearth's ears and understanding, and whatever voice Home Assistant has."""

from __future__ import annotations

from homeassistant.components import assist_pipeline, tts
from homeassistant.components.assist_pipeline.pipeline import KEY_ASSIST_PIPELINE
from homeassistant.components.conversation import DOMAIN as CONVERSATION_DOMAIN
from homeassistant.components.stt import DOMAIN as STT_DOMAIN
from homeassistant.components.tts.helper import get_engine_instance
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.collection import ItemNotFound

from .const import CONF_PIPELINE_ID, DOMAIN
from .coordinator import HearthConfigEntry


async def async_create_pipeline(hass: HomeAssistant, entry: HearthConfigEntry) -> str:
    """Make a pipeline and remember that it is ours; return its id, that of the one that was made before if it is there.

    Raises:
        HomeAssistantError: the entry's entities are disabled.
    """
    made = entry.data.get(CONF_PIPELINE_ID)
    if any(pipeline.id == made for pipeline in assist_pipeline.async_get_pipelines(hass)):
        return str(made)
    registry = er.async_get(hass)
    ours = {
        entity.domain: entity.entity_id
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
        if entity.disabled_by is None
    }
    if STT_DOMAIN not in ours or CONVERSATION_DOMAIN not in ours:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="entities_disabled")
    language = entry.runtime_data.language
    voice = tts.async_default_engine(hass)
    store = hass.data[KEY_ASSIST_PIPELINE].pipeline_store
    pipeline = await store.async_create_item(
        {
            "name": entry.title,
            "language": language,
            "stt_engine": ours[STT_DOMAIN],
            "stt_language": language,
            "conversation_engine": ours[CONVERSATION_DOMAIN],
            "conversation_language": language,
            "tts_engine": voice,
            "tts_language": _tts_language(hass, voice, language),
            "tts_voice": None,
            "wake_word_entity": None,
            "wake_word_id": None,
            "prefer_local_intents": False,
        }
    )
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_PIPELINE_ID: pipeline.id})
    return pipeline.id


async def async_remove_pipeline(hass: HomeAssistant, pipeline_id: object) -> None:
    """Remove the pipeline that was made for an entry; one that is preferred gives way to another first."""
    if not isinstance(pipeline_id, str) or KEY_ASSIST_PIPELINE not in hass.data:
        return
    store = hass.data[KEY_ASSIST_PIPELINE].pipeline_store
    others = [item for item in store.data if item != pipeline_id]
    if store.async_get_preferred_item() == pipeline_id and others:
        store.async_set_preferred_item(others[0])
    try:
        await store.async_delete_item(pipeline_id)
    except ItemNotFound:
        return


def _tts_language(hass: HomeAssistant, engine: str | None, language: str) -> str | None:
    """Return the voice's language that is nearest to ours."""
    if engine is None:
        return None
    found = get_engine_instance(hass, engine)
    if found is None:
        return None
    family = language.partition("-")[0]
    same = sorted(code for code in found.supported_languages if code.replace("_", "-").partition("-")[0] == family)
    return language if language in same else same[0] if same else found.default_language
