import pytest
from tests.permissions.notation import row
pytestmark = pytest.mark.django_db
def test_x(asking):
    from django.db import connection
    for p in ("/api/v1/health","/api/v1/ready","/api/v1/ready","/desk/"):
        r=asking.response(row(p,"GET"),"GET","technician")
        print(p, r.status_code, r.content[:700], connection.connection)
