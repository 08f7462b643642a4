"""DATA: the major incidents of the past, oldest first. What broke, why, and what was learned."""

from dataclasses import dataclass

from incidents.models import CauseCategory as Cause


@dataclass(frozen=True)
class Outage:
    """`minutes` is about how long the service was down; `extra` are services that went down with it."""

    service: str
    title: str
    conditions: str
    cause: str
    category: Cause
    fix: str
    lesson: str
    severity: str
    minutes: int
    extra: tuple[str, ...] = ()
    came_back: bool = False


OUTAGES = (
    Outage("checkout", "Checkout unavailable after a release", "Every order ends in an error page.",
           "A database migration locked the orders table for eleven minutes.", Cause.CHANGE,
           "Roll back release 2101 and split the migration", "Migrations on large tables run in small batches.",
           "SEV1", 142, ("storefront",)),
    Outage("warehouse", "Warehouse system does not answer", "Picking has stopped in both halls.",
           "The message queue was full after a carrier stopped fetching.", Cause.SUPPLIER,
           "Empty the queue and raise its limit", "Watch the length of the queue, not only the process.",
           "SEV2", 168),
    Outage("payments", "Card payments declined", "About 80 % of card payments are declined.",
           "The certificate towards the acquirer had expired.", Cause.HUMAN,
           "Install the new acquirer certificate", "All certificates are in the calendar with two owners.",
           "SEV1", 96, ("checkout",)),
    Outage("identity", "Nobody can sign in", "Customers and employees are thrown back to the sign-in page.",
           "The session store ran out of memory.", Cause.CAPACITY,
           "Double the memory of the session store", "Sessions of robots are not kept.", "SEV1", 118, ("checkout",)),
    Outage("search", "Search finds nothing", "No results for any word in all languages.",
           "The nightly index was built from an empty export.", Cause.SOFTWARE,
           "Put the index of the day before back", "An index with far fewer articles is not published.",
           "SEV3", 74),
    Outage("network", "Warehouse network down", "Both halls are offline, packing by paper.",
           "A loop after a desk move flooded the switches.", Cause.NETWORK,
           "Remove the loop and enable loop protection", "Loop protection is on at every edge port.",
           "SEV2", 133, ("warehouse",)),
    Outage("database", "Order database at its connection limit", "Orders are saved slowly or not at all.",
           "A new report opened a connection for every row.", Cause.SOFTWARE,
           "Stop the report and limit connections per application", "Reports read from the replica.",
           "SEV1", 151, ("checkout", "catalogue")),
    Outage("email", "No customer e-mail going out", "Confirmations wait since the early morning.",
           "The sending address was on a block list after a newsletter.", Cause.SUPPLIER,
           "Send confirmations from an address of their own", "Newsletters and confirmations are apart.",
           "SEV3", 205),
    Outage("cdn", "Shop without pictures and styles", "Pages look broken in most countries.",
           "A rule on the edge answered 403 for all static paths.", Cause.CHANGE,
           "Take back the edge rule", "Edge rules are tried on one country first.", "SEV2", 41, ("storefront",)),
    Outage("catalogue", "All prices shown as zero", "Articles can be ordered for nothing.",
           "The price import accepted a file with an empty column.", Cause.SOFTWARE,
           "Restore prices and cancel affected orders", "Imports refuse prices of zero.", "SEV1", 63, ("checkout",)),
    Outage("checkout", "Checkout very slow", "Ordering takes two minutes, many give up.",
           "The delivery date service answered slowly and was called three times.", Cause.CAPACITY,
           "Cache delivery dates for five minutes", "Calls to other services have short time limits.",
           "SEV2", 87),
    Outage("payments", "Wallet payments fail", "One of four payment methods ends in an error.",
           "The provider changed its answer without notice.", Cause.SUPPLIER,
           "Read the new answer of the wallet provider", "A contract test runs every hour.", "SEV3", 124),
    Outage("storefront", "Start page answers with errors", "Two of three page views fail.",
           "A campaign doubled the visits and the nodes did not scale.", Cause.CAPACITY,
           "Raise the floor of the scaling group", "Marketing tells about campaigns a week before.",
           "SEV1", 78, ("search",)),
    Outage("identity", "Single sign-on down for employees", "Customer care cannot open any tool.",
           "The signing key was rotated on one node only.", Cause.HUMAN,
           "Distribute the new signing key", "Rotation is a script, not a page of instructions.", "SEV2", 66, ("hr",)),
    Outage("warehouse", "Labels print the wrong address", "Parcels of the last hour go to wrong customers.",
           "Two print jobs shared one template file.", Cause.SOFTWARE,
           "Give every print job its own template", "Concurrency is part of the test plan.", "SEV2", 112, (), True),
    Outage("database", "Fail-over of the order database", "Orders failed for some minutes, then slow.",
           "The storage of the primary node broke.", Cause.HARDWARE,
           "Replace the node and rebuild the replica", "The fail-over is practised every quarter.",
           "SEV1", 58, ("checkout", "payments")),
    Outage("network", "VPN down", "Nobody at home can work.",
           "The licence for simultaneous users was reached.", Cause.CAPACITY,
           "Raise the licence", "Licences are watched like disks.", "SEV3", 92),
    Outage("data-platform", "No figures since the night", "All dashboards are empty on closing day.",
           "A full disk stopped the nightly load.", Cause.CAPACITY,
           "Add storage and repeat the load", "Disks warn at 70 %.", "SEV3", 187),
    Outage("checkout", "Orders are charged twice", "Some customers are charged twice for one order.",
           "A retry was not recognised as the same payment.", Cause.SOFTWARE,
           "Make the payment call idempotent", "Every call that moves money carries a key.", "SEV1", 71, ("payments",)),
    Outage("search", "Search runs into time-outs", "Half of all searches fail at lunch time.",
           "A synonym file caused very long queries.", Cause.CHANGE,
           "Take back the synonym file", "Synonyms are checked for size.", "SEV3", 49),
    Outage("email", "Shared inboxes empty", "Customer care sees no mail since ten o’clock.",
           "A rule moved everything into an archive.", Cause.HUMAN,
           "Remove the rule and move the mail back", "Rules on shared inboxes need a second pair of eyes.",
           "SEV3", 83),
    Outage("cdn", "Expired certificate at the edge", "Browsers warn before every page.",
           "The renewal ran, but the new certificate was not bound.", Cause.HUMAN,
           "Bind the renewed certificate", "The check looks at what customers get.", "SEV1", 34, ("storefront",)),
    Outage("payments", "Refunds not sent", "No refunds since the evening before.",
           "The settlement job waited for a lock.", Cause.SOFTWARE,
           "Release the lock and add a time limit", "Jobs say when they did not run.", "SEV3", 121),
    Outage("catalogue", "Stock shows zero everywhere", "Nothing can be put into the basket.",
           "The stock message changed its format with a warehouse release.", Cause.CHANGE,
           "Roll back the warehouse release", "Formats are agreed before they change.", "SEV1", 46, ("checkout",)),
    Outage("identity", "Second factor not delivered", "Nobody with a code by text message can sign in.",
           "The text message provider had an outage.", Cause.SUPPLIER,
           "Switch to the second provider", "The switch is a button now.", "SEV2", 38),
    Outage("warehouse", "Scanners show no orders", "Hall B has nothing to pick.",
           "A firewall change cut the scanners off.", Cause.CHANGE,
           "Take back the firewall rule", "Changes to the warehouse network avoid the shifts.", "SEV2", 52,
           ("network",)),
    Outage("storefront", "App shows “try again later”", "The app fails, the web shop works.",
           "The interface of the app was switched off too early.", Cause.CHANGE,
           "Switch the former interface on again", "Usage is looked at before something is switched off.",
           "SEV2", 44),
    Outage("database", "Slow orders during a backup", "Ordering takes half a minute.",
           "The backup ran on the primary node after a fail-over.", Cause.HUMAN,
           "Move the backup to the replica", "The backup follows the role, not the name.", "SEV3", 57, ("checkout",)),
    Outage("checkout", "Checkout fails for customers in Austria", "Every order with an Austrian address fails.",
           "The postcode check expected five digits.", Cause.SOFTWARE,
           "Correct the postcode check", "Address checks are tested for every country.", "SEV2", 39),
    Outage("payments", "Card payments slow", "Payments take up to a minute, some fail.",
           "One of two lines to the acquirer was broken.", Cause.NETWORK,
           "Take the broken line out of use", "The load balancer tests with a real call.", "SEV2", 31, ("checkout",)),
)  # fmt: skip

CAME_BACK_NOTE = "It is back: the first correction did not reach the second print server."
