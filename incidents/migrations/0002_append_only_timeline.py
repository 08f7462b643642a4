"""The timeline is append-only by rule of the database, whoever writes to it."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The timeline is append-only: % on % refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER timeline_is_append_only BEFORE UPDATE OR DELETE ON incidents_timelineevent
  FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();
CREATE TRIGGER timeline_edits_are_append_only BEFORE UPDATE OR DELETE ON incidents_timelineedit
  FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();
"""
BACKWARD = """
DROP TRIGGER timeline_is_append_only ON incidents_timelineevent;
DROP TRIGGER timeline_edits_are_append_only ON incidents_timelineedit;
DROP FUNCTION refuse_rewriting_history();
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
